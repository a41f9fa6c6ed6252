/** The element as a React component, and a hook for its surroundings; for React 18 and later. See docs/web.md. */

import { createElement, forwardRef, useCallback, useEffect, useImperativeHandle, useRef, useState } from "react";

import "../element/mynah-voice-chat.js";

const ATTRIBUTES = {
  hub: "hub", persona: "persona", language: "language", mode: "mode", chunkDuration: "chunk-duration",
  maxSessionDuration: "max-session-duration", autoPlayResponses: "auto-play-responses", enableTts: "enable-tts",
  interpret: "interpret", parallel: "parallel", uiLanguage: "ui-language", className: "class",
};
const EVENTS = {
  onTranscriptionComplete: "transcription-complete", onVoiceResponse: "voice-response", onError: "error",
  onSessionStatus: "session-status",
};

/** The component. Its ref is the element: startSession, endSession, generateSpeech, stopAudio, getSessionStats. */
export const StreamingVoiceChat = forwardRef(function StreamingVoiceChat(props, ref) {
  const element = useRef(null);
  const latest = useRef(props);
  useImperativeHandle(ref, () => element.current, []);
  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    element.current.token = props.token;
  }, [props.token]);
  useEffect(() => {
    const controller = new AbortController();
    for (const [prop, type] of Object.entries(EVENTS)) {
      const tell = (event) => latest.current[prop]?.(event.detail);
      element.current.addEventListener(type, tell, { signal: controller.signal });
    }
    return () => controller.abort();
  }, []);
  // As texts: what React makes of false and numbers on a custom element differs between its versions.
  const attributes = Object.entries(ATTRIBUTES).filter(([prop]) => props[prop] !== undefined && props[prop] !== null)
    .map(([prop, name]) => [name, String(props[prop])]);
  return createElement("mynah-voice-chat", { ...Object.fromEntries(attributes), ref: element, style: props.style });
});

/**
 * What a page needs beside the component: a ref for it, handlers, and the session's last statistics (null before).
 * `onVoiceInput(text)` is called by `handleVoiceInput`, which is for the component's `onTranscriptionComplete`.
 */
export function useStreamingVoiceChat(onVoiceInput) {
  const [sessionStatus, setSessionStatus] = useState(null);
  const [streamingVoiceChatRef] = useState(() => watched((event) => setSessionStatus(event.detail)));
  const handleVoiceInput = useCallback((text) => {
    if (text.trim()) onVoiceInput?.(text);
  }, [onVoiceInput]);
  const generateSpeechResponse = useCallback(async (text) =>
    (await streamingVoiceChatRef.current?.generateSpeech(text)) ?? false, [streamingVoiceChatRef]);
  return { streamingVoiceChatRef, handleVoiceInput, generateSpeechResponse, sessionStatus };
}

/** A ref that listens to the element that React puts into it, whenever it does. */
function watched(take) {
  let element = null;
  return {
    get current() {
      return element;
    },
    set current(next) {
      element?.removeEventListener("session-status", take);
      element = next;
      element?.addEventListener("session-status", take);
    },
  };
}
