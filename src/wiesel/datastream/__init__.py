"""The DataStream API, module for module as pyflink.datastream: environment, streams, builders."""
