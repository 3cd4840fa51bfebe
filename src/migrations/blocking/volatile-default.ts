import { isToken, nameOf, type SqlToken } from './statements/sql-token.js'

/** Functions that give one value for all rows of a statement: they are stable or immutable. */
const constant = new Set([
  'now', 'transaction_timestamp', 'statement_timestamp', 'current_timestamp', 'localtimestamp', 'current_time', 'localtime', 'current_date', 'date_trunc', 'timezone',
  'extract', 'date_part', 'to_timestamp', 'to_date', 'to_char', 'make_date', 'make_time', 'make_timestamp', 'make_timestamptz', 'make_interval', 'interval', 'age',
  'coalesce', 'nullif', 'greatest', 'least', 'cast', 'row', 'array', 'lower', 'upper', 'initcap', 'concat', 'concat_ws', 'format', 'length', 'replace', 'substring', 'substr',
  'left', 'right', 'trim', 'btrim', 'ltrim', 'rtrim', 'lpad', 'rpad', 'repeat', 'split_part', 'md5', 'sha256', 'encode', 'decode', 'abs', 'round', 'floor', 'ceil', 'ceiling',
  'trunc', 'mod', 'power', 'sqrt', 'json_build_object', 'json_build_array', 'jsonb_build_object', 'jsonb_build_array', 'json_object', 'jsonb_object', 'to_json', 'to_jsonb',
  'array_fill', 'string_to_array', 'to_tsvector', 'to_tsquery', 'current_setting', 'current_database', 'current_schema', 'current_user', 'session_user', 'version',
  'int4range', 'int8range', 'numrange', 'tsrange', 'tstzrange', 'daterange', 'point', 'box', 'numeric', 'varchar', 'char', 'character', 'timestamp', 'timestamptz', 'time', 'and', 'or', 'not', 'in', 'when', 'then', 'else'
])

/** The first function in an expression that may give each row another value; undefined if there is none. A function that is not known counts as one, as PostgreSQL makes every function volatile unless it is told otherwise. */
export function volatileFunction (tokens: readonly SqlToken[]): string | undefined {
  const found = tokens.find((token, index) => {
    const [before, after] = [tokens[index - 1], tokens[index + 1]]
    const isCalled = (token.kind === 'word' || token.kind === 'name') && after !== undefined && isToken(after, '(')
    // numeric(10, 2) after :: or AS is a type.
    const isType = before !== undefined && (isToken(before, ':') || isToken(before, 'AS'))
    return isCalled && !isType && !constant.has(nameOf(token))
  })
  return found === undefined ? undefined : nameOf(found)
}
