"""What is killed, stopped and delayed on purpose, and the proof that nothing is lost and nothing doubled afterwards."""
