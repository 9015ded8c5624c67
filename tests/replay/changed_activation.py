"""What an unguarded change of a workflow looks like: one timer more than its histories have."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.activation_process import ActivationResult, ProjectActivationInput
    from workflows.project_activation import ProjectActivation


@workflow.defn(name="ProjectActivation")
class ChangedActivation(ProjectActivation):
    """`ProjectActivation` that waits before it starts."""

    @workflow.init
    def __init__(self, input: ProjectActivationInput) -> None:
        ProjectActivation.__init__(self, input)

    @workflow.run
    async def run(self, input: ProjectActivationInput) -> ActivationResult:
        await workflow.sleep(timedelta(seconds=1), summary="added without a patch")
        return await ProjectActivation.run(self, input)


@workflow.defn(name="ProjectActivation")
class PatchedActivation(ProjectActivation):
    """The same change behind a patch: older runs go on as they began."""

    @workflow.init
    def __init__(self, input: ProjectActivationInput) -> None:
        ProjectActivation.__init__(self, input)

    @workflow.run
    async def run(self, input: ProjectActivationInput) -> ActivationResult:
        if workflow.patched("wait-first"):
            await workflow.sleep(timedelta(seconds=1), summary="added with a patch")
        return await ProjectActivation.run(self, input)


@workflow.defn(name="ProjectActivation")
class BrokenActivation(ProjectActivation):
    """A change that cannot read what older histories hold."""

    @workflow.init
    def __init__(self, input: ProjectActivationInput) -> None:
        ProjectActivation.__init__(self, input)

    @workflow.run
    async def run(self, input: ProjectActivationInput) -> ActivationResult:
        ProjectActivationInput.model_validate({"deal": input.deal, "firm": None})
        return await ProjectActivation.run(self, input)
