"""The JobMaster: pure state machines that decide; drivers do what they say."""
