import { expect, test } from "vitest";
import { deliveryNews, incomingMessage, readForm } from "./form.ts";

test("a message with all that it can have", () => {
  const form = readForm(
    "MessageSid=SM1&From=whatsapp%3A%2B14155552671&Body=a+b&NumMedia=2&MediaUrl0=u0&MediaContentType0=image%2Fpng&MediaUrl1=u1&ProfileName=Ada",
  );
  expect(incomingMessage(form, "c")).toEqual({
    input: {
      channel: "c",
      from: "whatsapp:+14155552671",
      text: "a b",
      provider_id: "SM1",
      media: [{ url: "u0", content_type: "image/png" }, { url: "u1" }],
      first_name: "Ada",
    },
  });
});

test("the least, and what is missing", () => {
  expect(incomingMessage(readForm("SmsSid=SM1&From=1&NumMedia=odd"), "c")).toEqual({
    input: { channel: "c", from: "1", text: "", provider_id: "SM1" },
  });
  expect(incomingMessage(readForm("From=1&MessageSid="), "c")).toEqual({ missing: "MessageSid" });
  expect(incomingMessage(readForm("MessageSid=SM1"), "c")).toMatchObject({ input: { from: "" } });
  // a made-up count fills no memory
  expect(incomingMessage(readForm("MessageSid=1&From=1&NumMedia=1e9"), "c")).toMatchObject({ input: { text: "" } });
});

test.each([
  ["sent", "sent"],
  ["delivered", "delivered"],
  ["read", "read"],
  ["undelivered", "failed"],
  ["failed", "failed"],
])("%s is %s", (status, delivery) => {
  expect(deliveryNews(readForm(`MessageSid=SM1&MessageStatus=${status}`), "c")).toEqual({
    input: { channel: "c", provider_id: "SM1", delivery },
  });
});

test.each(["queued", "sending", "toString"])("%s is no news", (status) => {
  expect(deliveryNews(readForm(`MessageSid=SM1&MessageStatus=${status}`), "c")).toEqual({ input: null });
});

test("the provider's code is the error", () => {
  expect(deliveryNews(readForm("SmsSid=SM1&SmsStatus=failed&ErrorCode=30003"), "c")).toMatchObject({
    input: { error: "twilio 30003" },
  });
  expect(deliveryNews(readForm("MessageStatus=sent"), "c")).toEqual({ missing: "MessageSid" });
  expect(deliveryNews(readForm("MessageSid=SM1"), "c")).toEqual({ missing: "MessageStatus" });
});
