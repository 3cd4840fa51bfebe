/** Space and comments. */
const gap = '(?:\\s|--[^\\n]*\\n|/\\*[\\s\\S]*?\\*/)'

/** A statement that sets or resets something by itself; what only concerns the transaction or its constraints is left out. */
const setting = new RegExp(`\\bset_config${gap}*\\(|(?:^|;)${gap}*(?:reset${gap}|set${gap}+(?!transaction\\b|constraints\\b|session${gap}+characteristics\\b))`, 'i')

/** Whether the user's own SQL sets something for the session or the transaction that it runs in: a setting, or the role. What a function sets does not show. */
export function setsSomething (text: string): boolean {
  return setting.test(text)
}
