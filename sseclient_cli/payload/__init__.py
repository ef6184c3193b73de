"""What the data of an event means, without I/O: JMESPath queries, filters, expected events, the text of an LLM."""
