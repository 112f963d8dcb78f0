import { writingText } from "../model/company";
import { useChat } from "./context";

/** Says who is writing. Its room is there also when nobody is, so that nothing moves; screen readers are not disturbed. */
export function WritersLine() {
  const writers = useChat().gathering.value?.writers.value ?? [];
  const text = writingText(writers.map(({ name }) => name));
  return (
    <div class="writers" aria-live="off">
      {text !== "" && (
        <p class="writers-text">
          <span class="writers-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <bdi>{text}</bdi>
        </p>
      )}
    </div>
  );
}
