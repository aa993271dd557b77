"""Tells the outside what happened: events, retained states and commands over MQTT."""
