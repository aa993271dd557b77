"""The merchant's side: policy, business day, unsettled batches."""
