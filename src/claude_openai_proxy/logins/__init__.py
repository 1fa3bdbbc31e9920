"""Which login there is, from where, how trusted and whom it bills; knows no HTTP and no request."""
