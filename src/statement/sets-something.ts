/** White space and comments. */
const gap = '(?:\\s|--[^\\n]*\\n|/\\*[\\s\\S]*?\\*/)'

/** A statement that sets or resets a setting or the role; SET TRANSACTION and SET CONSTRAINTS do not count. */
const setting = new RegExp(`\\bset_config${gap}*\\(|(?:^|;)${gap}*(?:reset${gap}|set${gap}+(?!transaction\\b|constraints\\b|session${gap}+characteristics\\b))`, 'i')

/** Whether SQL changes a setting, or the role, for the session or transaction that it runs in. A change inside a function is not visible here. */
export function setsSomething (text: string): boolean {
  return setting.test(text)
}
