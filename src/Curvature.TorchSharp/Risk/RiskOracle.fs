namespace Curvature.TorchSharp

open global.TorchSharp
open Curvature
open Curvature.FSharp

/// A risk in torch as a function of θ for the library.
module internal RiskOracle =

    let private name = "torch loss"

    [<Sealed>]
    type private RiskFunction(risk: TorchRiskDefinition) =
        inherit OuterFunction()
        let set = risk.Set

        /// Random numbers are those of the first evaluation.
        let state = TorchState.exclusively name TorchState.randomState

        let total (part: int -> TorchPart -> Tensor) : Tensor =
            (TorchPass.totals name risk (ValueSome state) (fun number part' -> [ part number part' ])).Totals.Head

        let value _ (part: TorchPart) =
            use _noGrad = torch.no_grad ()

            match part.Loss() with
            | null -> Fail.data $"{name}{part.Suffix}: the loss is null"
            | loss ->
                if loss.numel () <> 1L then
                    let shape = Shape.show (Exchange.shapeOf loss)
                    Fail.shape $"{name}{part.Suffix}: a loss is one number, and its shape is {shape}"

                Tensor.scalar DType.Float64 (Autograd.number loss)

        let gradient _ (part: TorchPart) =
            set.Join (GraphMatrix.gradient (name + part.Suffix) risk.IsStrict set (part.Loss())).Gradient

        /// At each row of a block of points, put into the module one after the other.
        let each (part: int -> TorchPart -> Tensor) (thetas: Tensor) : Tensor =
            List.init thetas.Shape[0] (fun i ->
                let theta = Tensor.item 0 i thetas
                set.RequireFit(name, theta)
                TorchState.exclusively name (fun () -> set.At(theta, (fun () -> total part))))
            |> Tensor.stack 0
            |> Tensor.convert set.DType

        override _.Values thetas = each value thetas
        override _.Gradients thetas = each gradient thetas

        override _.Products(theta, block) =
            set.RequireFit(name, theta)

            TorchState.exclusively name (fun () ->
                set.At(
                    theta,
                    fun () ->
                        use room = set.Room()

                        total (fun _ part ->
                            let matrix = GraphMatrix.hessian (name + part.Suffix) risk.IsStrict set (part.Loss())
                            RetainedOperator.rows (set, room) set matrix.Product block)
                        |> Tensor.convert set.DType
                ))

    /// θ ↦ the value of the risk, with two derivatives.
    let toFunction (risk: TorchRiskDefinition) : Tensor -> Tensor = OuterFunctions.toFunction (RiskFunction risk)

    /// The risk as one of a function of θ alone.
    let empirical (risk: TorchRiskDefinition) : EmpiricalRisk = Risk.ofFunction (toFunction risk)
