// The hub's REST API. The token travels in a header, never in an address.

const KEPT = "mynah.token";

/** What went wrong with a call: `status` is HTTP's, or 0 where the hub could not be reached. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

let given; // where the browser keeps nothing, it holds until the page is left

/** The token that was given on this page; kept until the browser is closed. */
export function token() {
  try {
    return given ?? sessionStorage.getItem(KEPT) ?? "";
  } catch {
    return given ?? "";
  }
}

export function setToken(value) {
  given = value;
  try {
    sessionStorage.setItem(KEPT, value);
  } catch {
    // As said above.
  }
}

/** Call the hub: api("GET", "/api/v1/speakers"). Returns the answer's JSON, null where there is none. */
export async function api(method, path, body, { signal } = {}) {
  const answer = await open(method, path, body, signal);
  return answer.status === 204 ? null : reached(answer.json());
}

/**
 * Read what comes as a stream of server-sent events; calls `take(object)` for each until `signal` ends it, and `opened()`
 * when the stream begins.
 */
export async function stream(path, take, { signal, opened = () => {} } = {}) {
  const answer = await open("GET", path, undefined, signal);
  opened();
  await pieces(answer, "\n\n", (block) => {
    const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
    if (data) take(JSON.parse(data));
  });
}

/** Send a body, and read an answer that comes line by line while something goes on; calls `take(object)` for each line. */
export async function lines(path, body, take, { signal } = {}) {
  const answer = await open("POST", path, body, signal, { Accept: "application/jsonl" });
  await pieces(answer, "\n", (line) => line && take(JSON.parse(line)));
}

async function pieces(answer, end, take) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reached(reader.read());
      if (done) return;
      const whole = (rest + value).split(end);
      rest = whole.pop();
      whole.forEach(take);
    }
  } finally {
    reader.cancel().catch(() => {}); // whatever ended it: the hub must not go on sending to nobody
  }
}

/** What a connection gives; one that breaks is told as one that could not be made. */
async function reached(work) {
  try {
    return await work;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unreachable", 0);
  }
}

async function open(method, path, body, signal, more = {}) {
  const headers = { ...more };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await reached(fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal }));
  // What is not all well is told by /health as 503, with an answer all the same.
  if (answer.ok || (path === "/health" && answer.status === 503)) return answer;
  const told = await answer.json().catch(() => null);
  throw new ApiError(told?.error?.message ?? answer.statusText, answer.status);
}
