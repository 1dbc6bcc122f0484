package timezone

import (
	"testing"
	"time"
	_ "time/tzdata" // What the carried zones are held against.
)

func TestTheCarriedZonesAreThoseOfTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Pacific/Apia", "UTC",
	} {
		data, err := carriedZone(name)
		if err != nil || data == nil {
			t.Fatalf("%s is not carried: %v", name, err)
		}
		carried, err := time.LoadLocationFromTZData(name, data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		known, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2030; at = at.Add(7 * time.Hour) {
			if got, want := at.In(carried).Format(time.RFC3339), at.In(known).Format(time.RFC3339); got != want {
				t.Fatalf("%s: %s is %s, want %s", name, at, got, want)
			}
		}
	}
}

func TestLoadRefusesWhatIsNoZone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Mars/Olympus_Mons", "../etc/passwd", "europe/nowhere", "Europe"} {
		if zone, err := Load(name); err == nil {
			t.Errorf("%q is taken for %s", name, zone)
		}
	}
	if zone, err := Load("Europe/Berlin"); err != nil || zone.String() != "Europe/Berlin" {
		t.Errorf("Europe/Berlin is %v: %v", zone, err)
	}
}
