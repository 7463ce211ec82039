"""What ``eximious check`` looks for beyond what keeps a configuration from being loaded, one subject a file."""
