/**
 * What TypeScript thinks of a changed file: a mutant that it refuses could never have been released.
 */
import { join } from 'node:path'
import ts from 'typescript'
import { projectRoot } from '../house/source-files.js'

/** Tells whether the compiler refuses a file of the project with another text. */
export function startCompiler (): (file: string, text: string) => boolean {
  const configPath = join(projectRoot, 'tsconfig.build.json')
  const { config } = ts.readConfigFile(configPath, ts.sys.readFile)
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, projectRoot)
  const changed = new Map<string, string>()
  let version = 0
  const service = ts.createLanguageService({
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    // What a mutant leaves unused shows that something is missing; that is for a test to show.
    getCompilationSettings: () => ({ ...options, noUnusedLocals: false, noUnusedParameters: false }),
    getScriptFileNames: () => fileNames,
    getScriptVersion: (path) => changed.has(path) ? String(version) : '',
    getScriptSnapshot: (path) => {
      const text = changed.get(path) ?? ts.sys.readFile(path)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => projectRoot,
    getDefaultLibFileName: ts.getDefaultLibFilePath
  })
  return (file, text) => {
    const path = join(projectRoot, file)
    changed.clear()
    changed.set(path, text)
    version++
    return service.getSyntacticDiagnostics(path).length > 0 || service.getSemanticDiagnostics(path).length > 0
  }
}
