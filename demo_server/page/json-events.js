// The JSON objects of /ndjson and /ws: events, comments and `retry`.

export function eventOfObject(text, on) {
  let object;
  try {
    object = JSON.parse(text);
  } catch {
    object = null; // not from this server: show the text
  }
  if (typeof object?.comment === "string") on.comment(` ${object.comment}`);
  else if (object?.retry !== undefined && object.seq === undefined) on.comment(` retry: ${object.retry}`);
  else on.event(String(object?.event ?? "message"), text, String(object?.seq ?? ""));
}
