DROP FUNCTION "initials"(text);
