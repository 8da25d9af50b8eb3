import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { House, Package, SourceFile } from "./imports.ts";

/** The repository's root. */
export const root = join(import.meta.dirname, "..");

const skipped = new Set(["node_modules", "dist", "coverage", ".git", ".threadmill"]);

/** Every source file of the repository: TypeScript, JavaScript, SQL and styles. */
export function sourceFiles(): SourceFile[] {
  return walk("")
    .filter((path) => /\.(?:tsx?|mts|mjs|js|sql|css)$/.test(path))
    .map((path) => ({ path, text: readText(path) }));
}

/** A file's text, by its path from the root. */
export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The workspace as the package.json files declare it. */
export function readHouse(): House {
  const folders = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
  return {
    packages: folders.filter((folder) => existsSync(join(root, folder, "package.json"))).map(readPackage),
    rootDependencies: declared(readManifest("package.json")),
  };
}

type Manifest = {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
} & { readonly [kind in (typeof kinds)[number]]?: Readonly<Record<string, string>> };

const kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;

function readPackage(folder: string): Package {
  const manifest = readManifest(`${folder}/package.json`);
  return {
    folder,
    name: manifest.name,
    dependencies: declared(manifest),
    exports: new Map(Object.entries(manifest.exports ?? {})),
  };
}

function readManifest(path: string): Manifest {
  return JSON.parse(readText(path)) as Manifest;
}

function declared(manifest: Manifest): Set<string> {
  return new Set(kinds.flatMap((kind) => Object.keys(manifest[kind] ?? {})));
}

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : walk(path);
    return entry.isFile() ? [path] : [];
  });
}
