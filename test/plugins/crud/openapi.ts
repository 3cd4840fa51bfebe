/**
 * Checks a document against the rules of OpenAPI 3.0 and 3.1 that a generator of routes can break: the objects of paths and their
 * fields, parameters of the path, statuses, media types, and the keywords and types of schemas.
 * https://spec.openapis.org/oas/v3.0.3 and https://spec.openapis.org/oas/v3.1.0
 */
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

type Fields = Readonly<Record<string, unknown>>

const operationFields = ['tags', 'summary', 'description', 'operationId', 'parameters', 'requestBody', 'responses', 'deprecated', 'security', 'servers', 'externalDocs', 'callbacks']
const parameterFields = ['name', 'in', 'description', 'required', 'deprecated', 'allowEmptyValue', 'style', 'explode', 'allowReserved', 'schema', 'example', 'examples', 'content']
const responseFields = ['description', 'headers', 'content', 'links']
/** https://spec.openapis.org/oas/v3.0.3#schema-object */
const schemaFields = [
  'title', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems',
  'maxProperties', 'minProperties', 'required', 'enum', 'type', 'allOf', 'oneOf', 'anyOf', 'not', 'items', 'properties', 'additionalProperties', 'description', 'format',
  'default', 'nullable', 'discriminator', 'readOnly', 'writeOnly', 'xml', 'externalDocs', 'example', 'deprecated'
]
const types = ['string', 'number', 'integer', 'boolean', 'array', 'object']

/** What is wrong with a document. */
export function complaintsAbout (document: object): string[] {
  const complaints: string[] = []
  const { openapi, info, paths } = document as Fields
  const is31 = String(openapi).startsWith('3.1')
  const expect = (holds: boolean, place: string, problem: string): void => { if (!holds) complaints.push(`${place} ${problem}`) }
  const only = (given: unknown, fields: readonly string[], place: string): Fields => {
    for (const field of Object.keys(Object(given))) expect(fields.includes(field) || field.startsWith('x-'), place, `has the field ${field}`)
    return Object(given)
  }

  const checkSchema = (given: unknown, place: string): void => {
    if (is31) {
      const ajv = addFormats.default(new Ajv2020({ strict: true, strictTypes: false }).addFormat('byte', true), { mode: 'fast' })
      try { ajv.compile(given as object) } catch (error) { complaints.push(`${place} ${String(error)}`) }
      return
    }
    const { type, properties = {}, items, required, enum: values, nullable } = only(given, schemaFields, place)
    expect(type === undefined || types.includes(type as string), place, `has the type ${JSON.stringify(type)}`)
    expect(type !== 'array' || items !== undefined, place, 'is an array without items')
    expect(nullable === undefined || type !== undefined, place, 'is nullable and has no type')
    expect(required === undefined || (Array.isArray(required) && required.length > 0), place, 'requires nothing')
    expect(values === undefined || (Array.isArray(values) && values.length > 0), place, 'has an empty enum')
    for (const [key, property] of Object.entries(properties as Fields)) checkSchema(property, `${place}.${key}`)
    if (items !== undefined) checkSchema(items, `${place}[]`)
  }
  const checkContent = (content: unknown, place: string): void => {
    for (const [mediaType, media] of Object.entries(Object(content) as Fields)) {
      expect(/^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w-]+)*$/.test(mediaType), place, `has the media type ${mediaType}`)
      checkSchema(only(media, ['schema', 'example', 'examples', 'encoding'], place)['schema'], `${place} ${mediaType}`)
    }
  }

  expect(/^3\.[01]\.\d$/.test(String(openapi)), 'openapi', 'is no version')
  expect(typeof Object(info).title === 'string' && typeof Object(info).version === 'string', 'info', 'has no title and version')
  for (const [path, methods] of Object.entries(paths as Fields)) {
    expect(path.startsWith('/'), path, 'begins with no slash')
    for (const [method, operation] of Object.entries(methods as Fields)) {
      const place = `${method} ${path}`
      expect(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'].includes(method), place, 'is no method')
      const { parameters = [], requestBody, responses } = only(operation, operationFields, place)
      const given = (parameters as unknown[]).map((parameter) => only(parameter, parameterFields, place))
      const names = given.map((parameter) => `${String(parameter['in'])} ${String(parameter['name'])}`)
      expect(new Set(names).size === names.length, place, 'has a parameter twice')
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `path ${name}`)
      expect(inPath.sort().join() === names.filter((name) => name.startsWith('path ')).sort().join(), place, `has the parameters ${names.join()}`)
      for (const parameter of given) {
        expect(['path', 'query', 'header', 'cookie'].includes(String(parameter['in'])), place, 'has a parameter nowhere')
        expect(parameter['in'] !== 'path' || parameter['required'] === true, place, 'has an optional parameter in its path')
        checkSchema(parameter['schema'], `${place} ${String(parameter['name'])}`)
      }
      if (requestBody !== undefined) {
        expect(method !== 'get' && method !== 'delete', place, 'has a body')
        checkContent(only(requestBody, ['description', 'content', 'required'], place)['content'], place)
      }
      expect(Object.keys(Object(responses)).length > 0, place, 'has no response')
      for (const [status, response] of Object.entries(Object(responses) as Fields)) {
        expect(/^[1-5]\d\d$|^default$/.test(status), place, `has the status ${status}`)
        const { description, content, headers } = only(response, responseFields, `${place} ${status}`)
        expect(typeof description === 'string', place, `has no description of ${status}`)
        for (const [name, header] of Object.entries(Object(headers) as Fields)) {
          checkSchema(only(header, parameterFields.filter((field) => field !== 'name' && field !== 'in'), `${place} ${name}`)['schema'], `${place} ${name}`)
        }
        checkContent(content, `${place} ${status}`)
      }
    }
  }
  return complaints
}
