/** Why a part of a document was refused. `path` is a JSON pointer into the document, `code` is stable. */
export interface Problem {
  readonly code: string;
  readonly path: string;
  readonly message: string;
}

/** Appends one key to a JSON pointer. */
export function pointer(path: string, key: string | number): string {
  return `${path}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** A text that compiled but cannot be rendered for this scope: `template_runaway` or `template_value`. */
export class TemplateFault extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "TemplateFault";
    this.code = code;
  }
}
