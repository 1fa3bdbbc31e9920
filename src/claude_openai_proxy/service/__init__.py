"""One request from start to end; knows neither HTTP nor wire bytes."""
