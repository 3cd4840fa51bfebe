CREATE FUNCTION "initials"("name" text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(left("word", 1), '') FROM unnest(string_to_array("name", ' ')) AS "word";
$$;
