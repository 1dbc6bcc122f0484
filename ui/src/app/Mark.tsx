/** The product's mark. */
export function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 20 20" aria-hidden="true">
      <defs>
        <linearGradient id="mark" x1="0" y1="0" x2="1" y2="1">
          <stop stopColor="#2563eb" />
          <stop offset="1" stopColor="#7c5ce0" />
        </linearGradient>
      </defs>
      <rect width="20" height="20" rx="6" fill="url(#mark)" />
    </svg>
  );
}
