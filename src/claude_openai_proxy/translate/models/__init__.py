"""Facts about models, as data asked by capability."""
