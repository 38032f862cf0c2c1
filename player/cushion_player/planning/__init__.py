"""From a presentation to what an engine schedules: timelines, and the addresses behind them. Pure."""
