"""The publish stage: audited tables and models become what consumers see, all in one switch."""
