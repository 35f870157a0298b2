"""The engine's tests on the oldest and newest versions that toolway supports; ``make test-versions`` runs them."""
