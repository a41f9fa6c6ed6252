// What can go wrong, each with a hint that says what to do. A page may put its own words in the place of these: texts
// "client.<code>" and "client.<code>.hint".

export const PROBLEMS = {
  unreachable: ["The hub does not answer.", "Is it running, and is its address right? A page of another origin must be among the hub's http: allowed_origins."],
  lost: ["The connection to the hub is lost.", "It is being tried again; the conversation goes on where it was."],
  unauthorized: ["This hub wants a token.", "One is made on its machine with: mynah token NAME"],
  forbidden: ["This token does not allow conversations.", "An admin's token does: mynah token NAME"],
  taken_over: ["The conversation goes on elsewhere.", "Another window or device took it over. Connect again to begin a new one here."],
  session_over: ["The session is over.", "The next question begins a new one."],
  not_connected: ["There is no connection to the hub.", "Connect first."],
  microphone_denied: ["The microphone is not allowed.", "Allow it for this page in the browser's address bar, and in the system's privacy settings."],
  microphone_missing: ["There is no microphone.", "Connect one, or write your question."],
  microphone_failed: ["The microphone does not work.", "Another program may be using it. Close that, or connect the microphone again."],
  insecure_origin: ["The browser gives no microphone to this page.", "Open it by https, or on the hub's own machine as http://localhost. You can write your question meanwhile."],
  no_worklet: ["This browser cannot work with sound.", "Use a current Chrome, Edge, Firefox or Safari. You can write and read meanwhile."],
  sound_blocked: ["The browser holds back the sound.", "Click or press a key on this page, and it plays."],
  sound_failed: ["The speech could not be played.", "The words are there all the same. Reload the page if this goes on."],
};

/** Something that went wrong: `code` for programs, `message` and `hint` (what to do) for people. */
export class ClientError extends Error {
  /** @param {string} code one of PROBLEMS, or of the hub's errors; `message` is what the hub said, where it did. */
  constructor(code, message = "") {
    const [told, hint] = PROBLEMS[code] ?? ["", ""];
    super(message || told || code);
    this.name = "ClientError";
    this.code = code;
    this.hint = hint;
  }
}
