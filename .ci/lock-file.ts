type Lock = {
  readonly packages?: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
};

/**
 * What is wrong with a package-lock.json: a download address (whoever installs may use another registry), or an
 * optional platform package without an entry (then `npm ci` refuses the whole file, on every platform).
 */
export function lockProblems(text: string): string[] {
  const addresses = text
    .split("\n")
    .flatMap((line, index) =>
      /"resolved": *"http/.test(line) ? [`package-lock.json:${index + 1}: a download address`] : [],
    );
  const { packages = {} } = JSON.parse(text) as Lock;
  const present = new Set(Object.keys(packages).map((key) => key.slice(key.lastIndexOf("node_modules/") + 13)));
  const missing = Object.entries(packages).flatMap(([key, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !present.has(name))
      .map((name) => `package-lock.json: no entry for ${name}, wanted by ${key === "" ? "the root" : key}`),
  );
  return [...addresses, ...missing];
}
