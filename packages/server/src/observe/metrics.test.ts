import { register } from "prom-client";
import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

test("everything measured is exposed under its name", async () => {
  const metrics = createMetrics();
  metrics.laneLagSeconds.set(1.5);
  metrics.commandsWaiting.set({ class: "bulk" }, 7);
  metrics.effectsDue.set(2);
  metrics.effectsDead.set(1);
  metrics.timersOverdue.set(4);
  metrics.batchItems.observe(3);
  metrics.batchSeconds.observe(0.004);
  metrics.failure("commit_unknown");
  metrics.decided("message.send", "accepted", 5);
  metrics.runs("completed");
  metrics.http({ method: "GET", route: "/v1/runs/:id", status: 404, seconds: 0.003 });
  metrics.http({ method: "GET", route: undefined, status: 404, seconds: 0.003 });
  const text = await metrics.registry.metrics();
  for (const line of [
    "threadmill_lane_lag_seconds 1.5",
    'threadmill_commands_waiting{class="bulk"} 7',
    "threadmill_effects_due 2",
    "threadmill_effects_dead 1",
    "threadmill_timers_overdue 4",
    'threadmill_batch_items_bucket{le="5"} 1',
    'threadmill_batch_seconds_bucket{le="0.005"} 1',
    'threadmill_failures_total{code="commit_unknown"} 1',
    'threadmill_commands_decided_total{type="message.send",outcome="accepted"} 5',
    'threadmill_runs_total{status="completed"} 1',
    'threadmill_http_request_seconds_count{method="GET",route="/v1/runs/:id",status="4xx"} 1',
    'threadmill_http_request_seconds_count{method="GET",route="none",status="4xx"} 1',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
});

test("each app has a registry of its own, and the global one stays empty", async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.effectsDue.set(1);
  expect(await two.registry.metrics()).toContain("threadmill_effects_due 0");
  expect(register.getMetricsAsArray()).toEqual([]);
});

test("labels cannot grow without end", async () => {
  const metrics = createMetrics();
  for (let n = 0; n < 500; n++) metrics.failure(`code_${n}`);
  const text = await metrics.registry.metrics();
  expect(text.match(/threadmill_failures_total\{/g)).toHaveLength(201);
  expect(text).toContain('threadmill_failures_total{code="other"} 300');
});

test("every metric is ours", async () => {
  const json = await createMetrics().registry.getMetricsAsJSON();
  for (const { name } of json) expect(name).toMatch(/^threadmill_/);
});
