import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { lineAt, readSource } from "./source-text.ts";

/** One package of the workspace, as its package.json declares it. */
export type Package = {
  /** Where it lives, for example "packages/core". */
  readonly folder: string;
  /** The name that others import, for example "@threadmill/core". */
  readonly name: string;
  /** Every package that its package.json declares, of whatever kind. */
  readonly dependencies: ReadonlySet<string>;
  /** Its `exports`: subpath to file, both beginning with "./" or being ".". */
  readonly exports: ReadonlyMap<string, string>;
};

/** The workspace: its packages, and what the root package.json declares (for tests and tools). */
export type House = {
  readonly packages: readonly Package[];
  readonly rootDependencies: ReadonlySet<string>;
};

/** A source file: its path from the root with forward slashes, and its text. */
export type SourceFile = { readonly path: string; readonly text: string };

/** Which of our packages each may import. A package that is missing here may not exist. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  server: ["core"],
  client: ["core"],
  cli: ["server", "client", "core"],
  web: ["client", "core"],
  widget: [],
};

/** Packages that run in a browser too, and so import nothing of Node. */
const browserPackages = new Set(["core", "web", "widget"]);

/** Folders outside packages/ whose files may import any of our packages, and what those declare. */
const outsideFolders = ["bench", "e2e"];

/** Every import specifier of a source with its line: static, dynamic, re-exported or required. */
export function importsOf(source: string): { readonly specifier: string; readonly line: number }[] {
  const { code, literals } = readSource(source);
  const found = code.matchAll(
    /(?<![\w$.])(?:from\s*|import\s*\(?\s*|require\s*\(\s*|import\.meta\.resolve\s*\(\s*)(["'`])/g,
  );
  return [...found].flatMap((match) => {
    const quote = match.index + match[0].length - 1;
    const specifier = literals.get(quote);
    return specifier === undefined ? [] : [{ specifier, line: lineAt(source, quote) }];
  });
}

/** What is wrong with a file's imports, one line each; empty when nothing is. */
export function importProblems(file: SourceFile, house: House): string[] {
  const home = house.packages.find(({ folder }) => file.path.startsWith(`${folder}/`));
  if (home !== undefined && arrows[short(home)] === undefined) {
    return [`${file.path}: package "${short(home)}" has no place in the table of import directions (.ci/imports.ts)`];
  }
  return importsOf(file.text).flatMap(({ specifier, line }) => {
    const problem = specifier.startsWith(".")
      ? relativeProblem(file.path, specifier, home)
      : home === undefined
        ? outsideProblem(file.path, specifier, house)
        : packageProblem(file.path, specifier, home, house);
    return problem === undefined ? [] : [`${file.path}:${line}: "${specifier}" ${problem}`];
  });
}

/** Whether a path is a test, which may use the root's development dependencies and Node. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}

function relativeProblem(path: string, specifier: string, home: Package | undefined): string | undefined {
  const target = posix.join(posix.dirname(path), specifier);
  if (home === undefined) {
    const folder = path.includes("/") ? `${path.split("/")[0]}/` : ".ci/";
    return target.startsWith(folder) ? undefined : `leaves ${folder}: import packages by name`;
  }
  if (!target.startsWith(`${home.folder}/`)) return "crosses a package border: import the package by name";
  const face = posix.join(home.folder, home.exports.get(".") ?? "");
  if (target === face && !isTest(path)) return "is the package's own face: import the file that defines the thing";
  return undefined;
}

function packageProblem(path: string, specifier: string, home: Package, house: House): string | undefined {
  if (isBuiltin(specifier)) {
    return browserPackages.has(short(home)) && !isTest(path)
      ? "is Node's: this package runs in a browser too"
      : undefined;
  }
  const name = packageName(specifier);
  const ours = house.packages.find((candidate) => candidate.name === name);
  if (ours === home) return isTest(path) ? exportProblem(specifier, ours) : "is this package itself: import the file";
  if (ours !== undefined && arrows[short(home)]?.includes(short(ours)) !== true) {
    return `goes against the direction of imports: ${short(home)} may import ${arrows[short(home)]?.join(", ") || "nothing of ours"}`;
  }
  // A folder named testing holds what several tests share; it may use the test tools, but not Node in core.
  const forTests = isTest(path) || path.includes("/testing/");
  if (!home.dependencies.has(name) && !(forTests && house.rootDependencies.has(name))) {
    return `is not declared in ${home.folder}/package.json`;
  }
  return ours === undefined ? undefined : exportProblem(specifier, ours);
}

function outsideProblem(path: string, specifier: string, house: House): string | undefined {
  if (isBuiltin(specifier)) return undefined;
  const name = packageName(specifier);
  const outside = outsideFolders.some((folder) => path.startsWith(`${folder}/`));
  const ours = house.packages.find((candidate) => candidate.name === name);
  if (ours !== undefined) return outside ? exportProblem(specifier, ours) : "is a package of ours: a tool imports none";
  const declared =
    house.rootDependencies.has(name) || (outside && house.packages.some(({ dependencies }) => dependencies.has(name)));
  return declared ? undefined : "is not declared in package.json";
}

function exportProblem(specifier: string, target: Package): string | undefined {
  const subpath = `.${specifier.slice(target.name.length)}`;
  return target.exports.has(subpath) ? undefined : `is not among the exports of ${target.name}`;
}

function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function short(pack: Package): string {
  return posix.basename(pack.folder);
}
