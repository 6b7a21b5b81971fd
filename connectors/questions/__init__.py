"""What a profile does not know of its system: the questions that only the supplier can answer.

Each says why it matters and what Dolen does without an answer, so that a supplier sees that it is worth one and a
council sees what it lives with meanwhile. They follow from the profile and the connection's settings alone: nothing is
sent, and no secret or value of a record is read.
"""

from connectors.questions.asking import Known, Question, Topic, questions, taken_for_true

__all__ = ["Known", "Question", "Topic", "questions", "taken_for_true"]
