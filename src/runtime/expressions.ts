/** A text as a part of a regular expression that matches this text only, also one with the flag `u`. */
export function literally (text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
