import { openPool } from "@threadmill/server";
import type { Context, Outcome } from "../command.ts";
import { findRunning } from "../database.ts";
import { type Finding, finder, inLine, type Patient } from "./check.ts";
import { checkDatabase } from "./database.ts";
import { checkDataDir, checkDisk, checkNode, checkSecretKey } from "./machine.ts";
import { checkServer } from "./server.ts";

/** Looks at everything an installation needs. Changes nothing and starts nothing. */
export async function examine(
  context: Context,
): Promise<Outcome & { readonly json: { readonly verdict: string; readonly findings: readonly Finding[] } }> {
  const { config, fetch, now } = context;
  const { databaseDirectUrl, databaseUrl } = config;
  const place = databaseDirectUrl ?? databaseUrl ?? (await findRunning(config.dataDir).catch(() => null));
  const pool =
    place === null
      ? null
      : openPool({ url: place, max: 1, connectTimeoutMs: 5000, applicationName: "threadmill doctor" });
  const patient: Patient = { config, fetch, pool, nodeVersion: process.versions.node, nowMs: () => Date.parse(now()) };
  try {
    const findings = [
      checkNode(patient),
      ...(await safely("data directory", () => checkDataDir(patient))),
      ...(await safely("disk space", () => checkDisk(patient))),
      ...(await safely("secret key", () => checkSecretKey(patient))),
      ...(await safely("database", () => checkDatabase(patient))),
      ...(await safely("server", () => checkServer(patient))),
    ];
    const verdict = (["fail", "warn"] as const).find((each) => findings.some((one) => one.verdict === each)) ?? "ok";
    return {
      json: { verdict, findings },
      text: findings.map((one) => `${one.verdict.padEnd(4)}  ${one.check}: ${one.message}`).join("\n"),
      ...(verdict === "fail" && { exit: "fault" as const }),
    };
  } finally {
    await pool?.end();
  }
}

/** A check that breaks is a finding: the others are wanted all the more. */
async function safely(check: string, look: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    return [await look()].flat();
  } catch (error) {
    return [finder(check).fail(inLine(error))];
  }
}
