//! JSON as image documents need it: strict to read, and edited without disturbing what is not understood.
