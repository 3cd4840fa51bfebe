/** The anchor that GitHub gives to a heading, so that links lead to the same place in the repository and on the site. */
export function anchorOf (title: string): string {
  return title.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')
}
