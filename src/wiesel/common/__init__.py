"""The API of pyflink.common: types, time, watermark strategies, configuration."""
