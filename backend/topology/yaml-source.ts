// SPDX-License-Identifier: MIT
import { Composer, type CST, type Document, Lexer, LineCounter, Parser, type YAMLError } from 'yaml';
import type { Problem } from './problem.js';

/** The largest topology file, in bytes of UTF-8 or in characters. */
export const MAX_TEXT = 1024 * 1024;
/**
 * Levels of nesting, with a margin over the eight that a topology needs. The limit holds before the document is
 * composed, because composing recurses, and V8 ends the process when a regular expression is compiled on a full stack.
 */
const MAX_DEPTH = 100;
/** Syntax errors after which reading stops. */
const MAX_ERRORS = 100;

/** Line and column, both from 1, of an offset in the text. */
export type Locator = (offset: number) => { line: number; column: number };

/** A locator for `text`; offsets outside it are taken to its nearest end. */
export function locatorOf(text: string): Locator {
  const counter = new LineCounter();
  counter.addNewLine(0);
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) counter.addNewLine(at + 1);
  return (offset) => {
    const { line, col } = counter.linePos(Math.max(0, Math.min(offset, text.length)));
    return { line, column: col };
  };
}

/** One YAML document, or what keeps `text` from being one. */
export type Composed =
  | { readonly document: Document.Parsed; readonly problems?: undefined }
  | { readonly document?: undefined; readonly problems: Problem[] };

/**
 * Reads `text` as one document of YAML 1.2 with the core schema: no custom tags, no merge keys, integers exact.
 * Duplicate keys are left to the caller, because the library looks for them in quadratic time.
 */
export function composeYaml(text: string, locate: Locator): Composed {
  const problems: Problem[] = [];
  const report = (offset: number, message: string) => problems.push({ ...locate(offset), path: '', message });

  if (text.length > MAX_TEXT) {
    report(0, `expected a file of at most ${MAX_TEXT} characters; found ${text.length}; split the topology`);
    return { problems };
  }
  const control = findControl(text);
  if (control >= 0) report(control, controlMessage(text, control));

  const tokens = parse(text, report);
  if (tokens === undefined) return { problems };
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    intAsBigInt: true,
    uniqueKeys: false,
    prettyErrors: false,
  });
  let document: Document.Parsed | undefined;
  for (const composed of composer.compose(tokens, true, text.length)) {
    const parsed = composed as Document.Parsed;
    if (document !== undefined) {
      report(
        parsed.range[0],
        'expected one document; found a second; remove what follows, or the line `---`',
      );
      break;
    }
    document = parsed;
  }
  if (document === undefined) return { problems };
  for (const error of [...document.errors, ...document.warnings].slice(0, MAX_ERRORS))
    report(error.pos[0], syntaxMessage(error));
  const version = document.directives.yaml.version;
  if (version !== '1.2')
    report(text.indexOf('%YAML'), `expected YAML 1.2; found %YAML ${version}; remove the line`);
  return problems.length > 0 ? { problems } : { document };
}

/** The tokens of `text`; undefined, and a report, where it is nested too deeply. */
function parse(text: string, report: (offset: number, message: string) => void): CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === 'error') errors++;
    }
    if (parser.stack.length > MAX_DEPTH) {
      report(parser.offset, `expected at most ${MAX_DEPTH} levels of nesting; found more; write it flatter`);
      return undefined;
    }
    if (errors > MAX_ERRORS) break;
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

/** The offset of the first character that YAML does not allow in a file; -1: none. */
function findControl(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/);
}

function controlMessage(text: string, offset: number): string {
  const code = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0');
  return `expected text; found the control character U+${code}; remove it`;
}

const SYNTAX: { readonly [code in YAMLError['code']]?: string } = {
  TAB_AS_INDENT: 'expected spaces as indentation; found a tab; replace it by spaces',
  TAG_RESOLVE_FAILED:
    'expected no tag or one that fits the value; found another; remove the word that begins with !',
  RESOURCE_EXHAUSTION: 'expected less nesting; write it flatter',
};

/** The library's sentence is kept, because it knows best, and on one line. */
function syntaxMessage(error: YAMLError): string {
  const known = SYNTAX[error.code];
  if (known !== undefined) return `not valid YAML: ${known}`;
  const text = error.message.replace(/\s+/g, ' ').trim();
  return `not valid YAML: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`;
}
