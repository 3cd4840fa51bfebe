import { join } from 'node:path'
import ts from 'typescript'

/** Parses each file once for all services of this process. */
const registry = ts.createDocumentRegistry()

/** The options of a tsconfig file, and the files that belong to it. */
export function readConfig (folder: string, name: string): { fileNames: string[], options: ts.CompilerOptions } {
  const { config } = ts.readConfigFile(join(folder, name), ts.sys.readFile)
  return ts.parseJsonConfigFileContent(config, ts.sys, folder)
}

/** The language service of an editor for these files: texts, types and errors. */
export function openService (fileNames: readonly string[], options: ts.CompilerOptions): ts.LanguageService {
  const { fileExists, readFile, getCurrentDirectory } = ts.sys
  return ts.createLanguageService({
    fileExists,
    readFile,
    getCurrentDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    ...ts.sys.realpath && { realpath: ts.sys.realpath },
    getCompilationSettings: () => ({ ...options, noEmit: true }),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    getScriptFileNames: () => [...fileNames],
    getScriptSnapshot: (file) => fileExists(file) ? ts.ScriptSnapshot.fromString(readFile(file) ?? '') : undefined,
    getScriptVersion: () => '1'
  }, registry)
}
