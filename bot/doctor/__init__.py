"""`attache doctor`: looks at everything that has to work, changes nothing, and says of each thing how it is and how to mend it."""
