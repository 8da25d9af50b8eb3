/**
 * A condition that could not be decided, which is never the same as "does not hold". `path` is a JSON pointer to the
 * clause. Codes: `operand_invalid`, `regex_invalid`, `regex_runaway`, `duration_...`, and those of a text (`template_runaway`, `template_value`).
 */
export class ConditionFault extends Error {
  readonly code: string;
  readonly path: string;

  constructor(code: string, path: string, message: string) {
    super(message);
    this.name = "ConditionFault";
    this.code = code;
    this.path = path;
  }
}

/** An operand that its operator does not take; the clause adds where. While compiling it becomes a problem, later a fault. */
export class OperandFault extends Error {
  readonly code: string;

  constructor(message: string, code = "operand_invalid") {
    super(message);
    this.name = "OperandFault";
    this.code = code;
  }
}
