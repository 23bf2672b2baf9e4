"""The errors of whyset, drawn whole; each room defines the branch it raises.

WhysetError                  exit 2  anything the user can mend
├── ConstitutionError                a document that cannot be a constitution
│   └── NotInConstitution            no such passage or section (also a LookupError)
├── DatasetError                     input that cannot be read, output that cannot be written
├── RetrieverError                   an index that cannot be built, opened or asked
│   └── EmbedderUnavailable          no embedder on this machine; the message has the remedies
├── GeneratorError                   options that do not fit together, prompts that do not render
│   ├── Declined                     this model cannot do what the generator needs
│   └── RowRejected                  a row did not pass, and there is no quarantine for it
├── ModelError                       a model that cannot be opened
│   ├── ModelRefused         exit 4  key, permission, credit or model name turned down: stop the run
│   ├── ModelUnavailable             passing fault, asked again later; may carry `retry_after`
│   ├── BatchTooLarge                the provider takes no message batch of this size
│   ├── BatchUnknown                 the provider shows no such message batch to this key
│   └── UnusableReply                this ask will not get a usable answer by asking again
└── RunError                         a run that cannot start or go on
    ├── RunLocked                    another process holds the run's ledger
    ├── PlanError                    a plan of a corpus that cannot be read or kept
    └── RunStopped           exit 3  ended early; the same command goes on
        └── BudgetSpent      exit 3  ended by the budget
"""

from ._base import WhysetError

__all__ = ["WhysetError"]
