// Hears what a page's audio graph gives to the loudspeaker, and notes when frames of sound came from the hub.

((worklet) => {
  const { connect } = AudioNode.prototype;
  const ear = { rate: 0, pieces: [], frames: [], onsets: [], resolve: null };
  globalThis.ear = ear;

  // A socket's first listener is told first: the time is that of the frame's event, before anything is done with it.
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => typeof data !== "string" && ear.frames.push(now()));
    }
  };

  /** Milliseconds since the epoch: the clock of audio threads, too. */
  function now() {
    return performance.timeOrigin + performance.now();
  }

  AudioNode.prototype.connect = function heard(target, ...rest) {
    if (target instanceof AudioDestinationNode && !(this instanceof AudioWorkletNode)) listen(this);
    return connect.call(this, target, ...rest);
  };

  async function listen(node) {
    const { context } = node;
    const gain = new GainNode(context);
    connect.call(node, gain);
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: "text/javascript" })));
    const recorder = new AudioWorkletNode(context, "mynah-ear", { numberOfOutputs: 1, channelCount: 1, channelCountMode: "explicit" });
    recorder.port.onmessage = ({ data }) => {
      if (data.onset) ear.onsets.push(data.onset);
      else ear.pieces.push(data);
      if (data.last) ear.resolve?.();
    };
    connect.call(gain, recorder);
    connect.call(recorder, context.destination);
    Object.assign(ear, { rate: context.sampleRate, context, recorder });
  }

  /** Everything that was heard since the last call: {rate, first, samples} in base64 of float32. */
  ear.take = async () => {
    await new Promise((resolve) => {
      ear.resolve = resolve;
      ear.recorder.port.postMessage("give");
    });
    const pieces = ear.pieces.splice(0).filter((piece) => piece.samples.length);
    const samples = new Float32Array(pieces.reduce((sum, piece) => sum + piece.samples.length, 0));
    let at = 0;
    for (const piece of pieces) {
      samples.set(piece.samples, at);
      at += piece.samples.length;
    }
    const bytes = new Uint8Array(samples.buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return { rate: ear.rate, first: pieces[0]?.first ?? 0, samples: btoa(text) };
  };
})
