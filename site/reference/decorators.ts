import ts from 'typescript'
import { readDocs } from './docs.js'

const owners: Readonly<Record<string, string>> = { FastifyInstance: 'fastify', FastifyRequest: 'request', FastifyReply: 'reply', FastifyContextConfig: 'config' }

/** What the plugins add to Fastify's own interfaces, a row each: `fastify.db`, `request.repo()`, `config.transaction` of a route. */
export function decorators (program: ts.Program): string {
  const checker = program.getTypeChecker()
  const rows = program.getSourceFiles().filter(({ fileName }) => !fileName.includes('/node_modules/')).flatMap((file) => file.statements)
    .filter((statement): statement is ts.ModuleDeclaration => ts.isModuleDeclaration(statement) && statement.name.text === 'fastify')
    .flatMap(({ body }) => body !== undefined && ts.isModuleBlock(body) ? body.statements.filter(ts.isInterfaceDeclaration) : [])
    .flatMap(({ name, members }) => members.flatMap((member) => {
      const { name: key } = member
      const symbol = key === undefined || !ts.isIdentifier(key) ? undefined : checker.getSymbolAtLocation(key)
      if (symbol === undefined) return []
      const owner = owners[name.text] ?? name.text
      const type = ts.isPropertySignature(member) ? String(member.type?.getText().replace(/ \| undefined$/, '')) : member.getText()
      const meaning = readDocs(symbol, checker).text.replace(/\s+/g, ' ')
      return [`| \`${owner}.${symbol.name}\` | \`${type.replace(/\s+/g, ' ').replaceAll('|', '\\|')}\` | ${meaning.replaceAll('|', '\\|')} |`]
    }))
  return ['## On Fastify\'s objects', 'What `register(dataAccess)` adds to the server, to each request, and to the `config` of a route.', ['| name | type | meaning |', '|---|---|---|', ...rows.sort()].join('\n')].join('\n\n')
}
