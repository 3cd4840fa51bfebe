/** A piece of HTML, whose texts are escaped. */
export interface Html {
  readonly html: string
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** What a template may hold: texts are escaped, null is nothing. */
type Part = string | number | null | Html | readonly Html[]

/** A template of HTML. */
export function html (strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: String.raw({ raw: strings }, ...parts.map(written)) }
}

function written (part: Part): string {
  if (part === null) return ''
  if (typeof part !== 'object') return String(part).replace(/[&<>"']/g, (character) => entities[character] as string)
  return 'html' in part ? part.html : part.map((piece) => piece.html).join('')
}

/** A table with a caption; instead of no rows, a sentence. */
export function table (caption: string, { columns, rows, none }: { readonly columns: readonly string[], readonly rows: ReadonlyArray<readonly Part[]>, readonly none: string }): Html {
  if (rows.length === 0) return html`<section><h2>${caption}</h2><p>${none}</p></section>`
  const head = columns.map((column) => html`<th scope="col">${column}</th>`)
  const body = rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)
  return html`<section><h2>${caption}</h2><div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div></section>`
}

/** SQL. */
export function code (text: string): Html {
  return html`<code>${text}</code>`
}

/** A time in milliseconds; a dash if it is not known. */
export function millis (time: number | null): string {
  if (time === null) return '–'
  return time < 1000 ? `${time.toFixed(1)} ms` : `${(time / 1000).toFixed(1)} s`
}

/** A moment, in UTC. */
export function clock (at: number): Html {
  const iso = new Date(at).toISOString()
  return html`<time datetime="${iso}">${iso.slice(11, 23)}</time>`
}
