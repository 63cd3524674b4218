"""What user code and engine both name: functions, types, state descriptors, contracts, errors."""
