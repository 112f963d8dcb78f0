package config

// nearest returns the name in known that takes the fewest edits to reach from name: the first of them, if several do.
func nearest(name string, known []string) string {
	name = name[:min(len(name), maxShown)] // the time is quadratic
	best := known[0]
	for _, k := range known[1:] {
		if editDistance(name, k) < editDistance(name, best) {
			best = k
		}
	}
	return best
}

// editDistance is how many bytes must be inserted, deleted or replaced to make b of a (Levenshtein 1966).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
