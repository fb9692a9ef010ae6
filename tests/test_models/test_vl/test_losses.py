"""Each loss against its definition, computed by hand."""

import math

import torch

from lgd_mm.models.vl.losses import attention_loss, soft_label_loss, token_contrastive_loss


def test_attention_by_hand():
    student = torch.tensor([[[[0.5, 0.5], [1.0, 0.0]], [[0.2, 0.8], [0.3, 0.7]]]])  # one text, two heads, two tokens
    teacher = torch.tensor([[[[0.4, 0.6], [0.0, 1.0]], [[0.6, 0.4], [0.3, 0.7]]]])
    both, first = torch.tensor([[True, True]]), torch.tensor([[True, False]])
    # Head by head and token by token, summed over what is looked at: 0.02, 2; 0.32, 0.
    torch.testing.assert_close(attention_loss(student, teacher, both), torch.tensor((0.02 + 2 + 0.32 + 0) / 4))
    torch.testing.assert_close(attention_loss(student, teacher, first), torch.tensor((0.02 + 0.32) / 2))
    # Means over the heads differ by (-0.15, 0.15) and (0.5, -0.5).
    torch.testing.assert_close(attention_loss(student, teacher, both, average_heads=True),
                               torch.tensor((2 * 0.15**2 + 2 * 0.5**2) / 2))


def test_hidden_states_by_hand():
    student = torch.tensor([[[1., 0.], [0., 1.]]])
    teacher = torch.tensor([[[0.6, 0.8], [0., 1.]]])
    queue = torch.tensor([[0., 1.], [-1., 0.]])
    both, first = torch.tensor([[True, True]]), torch.tensor([[True, False]])

    def of(own, *others):
        return -math.log(math.exp(own / 0.5) / sum(math.exp(value / 0.5) for value in (own, *others)))

    of_tokens = of(0.6, 0., -1.), of(1., 1., 0.)
    torch.testing.assert_close(token_contrastive_loss(student, teacher, queue, both, 0.5),
                               torch.tensor(sum(of_tokens) / 2))
    torch.testing.assert_close(token_contrastive_loss(student, teacher, queue, first, 0.5), torch.tensor(of_tokens[0]))


def test_soft_labels_by_hand():
    student, teacher = torch.tensor([[0., 2.], [5., 1.]]), torch.tensor([[2., 0.], [1., 1.]])

    def cross_entropy(ours, theirs, temperature):
        ours, theirs = ([math.exp(value / temperature) for value in logits] for logits in (ours, theirs))
        return -sum(q / sum(theirs) * math.log(p / sum(ours)) for p, q in zip(ours, theirs))

    for temperature in (1., 2.):
        expected = [cross_entropy(*rows, temperature) for rows in zip(student.tolist(), teacher.tolist())]
        found = soft_label_loss(student, teacher, torch.tensor([True, True]), temperature)
        torch.testing.assert_close(found, torch.tensor(sum(expected) / 2))
        found = soft_label_loss(student, teacher, torch.tensor([False, True]), temperature)
        torch.testing.assert_close(found, torch.tensor(expected[1]))
