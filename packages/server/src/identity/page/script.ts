/**
 * What the page of `welcome.ts` runs in the browser. It reads the link's token behind `#`, takes it out of the address at
 * once, and asks the routes below api/v2/auth. Texts go in as text, never as markup.
 */
export const welcomeScript = `const kinds = {
  setup: { title: "Set up the owner", fields: ["name", "email", "password"], fresh: true, send: (v) => post("setup", v) },
  invitation: { title: "You are invited", fields: ["name", "password"], fresh: true, send: (v) => post("invitation/accept", v) },
  reset: { title: "Set a new password", fields: ["password"], fresh: true, send: (v) => post("password-reset/confirm", v) },
  email: { title: "Confirm your e-mail address", fields: [], send: (v) => post("email/confirm", v) },
  "sign-in": { title: "Sign in", fields: ["email", "password"], send: (v) => post("sign-in", v) },
  code: { title: "Second factor", fields: ["code"], send: ({ code }) =>
    post("second-factor", /^[0-9]{6}$/.test(code) ? { code } : { recovery_code: code }) },
};
const at = (id) => document.getElementById(id);
const say = (text) => { at("problem").textContent = text; };

async function post(path, body) {
  const answer = await fetch("api/v2/auth/" + path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-threadmill-page": "1" },
    body: JSON.stringify(body),
  });
  const json = await answer.json();
  if (!answer.ok) throw new Error(json.detail || json.title);
  return json;
}

const [, word = "sign-in", token] = /^#([a-z-]+)(?:=([A-Za-z0-9_-]+))?$/.exec(location.hash) || [];
const failed = new URLSearchParams(location.search).get("error");
history.replaceState(null, "", "welcome");

function show(kind) {
  const { title, fields, fresh = false } = kinds[kind];
  at("title").textContent = title;
  at("about").textContent = kind === "code" ? "What your authenticator shows, or a recovery code." : "";
  for (const label of document.querySelectorAll("[data-field]")) {
    const input = label.querySelector("input");
    label.hidden = !fields.includes(label.dataset.field);
    input.required = !label.hidden;
    if (input.name === "password") {
      input.autocomplete = fresh ? "new-password" : "current-password";
      input.minLength = fresh ? 10 : 1;
    }
  }
  at("form").hidden = false;
  at("form").onsubmit = async (event) => {
    event.preventDefault();
    say("");
    at("go").disabled = true;
    const values = Object.fromEntries(fields.map((name) => [name, at("form").elements[name].value]));
    try {
      const { status } = await kinds[kind].send(token === undefined || kind === "code" ? values : { token, ...values });
      if (status === "second_factor") show("code");
      else if (status === "signed_in") location.assign("./");
      else {
        show("sign-in");
        at("about").textContent = "Done. You can sign in now.";
      }
    } catch (error) {
      say(error.message);
    }
    at("go").disabled = false;
  };
}

show(Object.hasOwn(kinds, word) && word !== "code" ? word : "sign-in");
if (failed !== null) say("Signing in did not come off: " + failed.replace(/_/g, " "));
if (word === "invitation") {
  try {
    const { organization, email, known } = await post("invitation", { token });
    at("about").textContent = organization + " invites " + email + (known ? ": sign in with your password." : ": choose a password.");
    at("form").elements.name.closest("label").hidden = known;
    at("form").elements.name.required = !known;
    if (known) at("form").elements.password.minLength = 1;
    kinds.invitation.send = ({ name, ...rest }) => post("invitation/accept", known ? rest : { name, ...rest });
  } catch (error) {
    say(error.message);
  }
}
const { single_sign_on } = await (await fetch("api/v2/auth/ways")).json();
if (single_sign_on !== null && word !== "setup") {
  at("sso").textContent = single_sign_on.name;
  at("sso").hidden = false;
  at("sso").onclick = async () => {
    try {
      location.assign((await post("single-sign-on", {})).url);
    } catch (error) {
      say(error.message);
    }
  };
}
`;
