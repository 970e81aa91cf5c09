namespace Curvature.FSharp

open Curvature

/// The Gauss–Newton matrix JᵀH_ℓJ of a model's outputs under a convex loss ℓ: the Hessian without the curvature of the model.
[<RequireQualifiedAccess>]
module GaussNewton =

    let private name = "Gauss-Newton"

    let internal specifyNamed name (model: Tensor -> Tensor) (loss: Tensor -> Tensor) : SecondOrder =
        let outputs theta = SecondOrder.linearize name "model" model theta

        {
            Name = name
            Properties = OperatorProperties.PositiveSemidefinite
            Function = model >> loss
            Loss = model >> loss
            Products =
                fun theta ->
                    let outputs, jacobian = outputs theta
                    let values, curve = SecondOrder.hessian name loss outputs

                    [ values.Head ],
                    (fun v -> (jacobian.Interpret [| v |])[0] |> curve |> SecondOrder.pull theta jacobian)
            Forms =
                fun theta ->
                    let outputs, jacobian = outputs theta
                    let values, form = SecondOrder.hessianForm loss outputs
                    values, (fun v -> form ((jacobian.Interpret [| v |])[0]))
        }

    let internal specify model loss = specifyNamed name model loss

    /// Gauss–Newton matrices at point after point: recorded and compiled at the first.
    let family (model: Tensor -> Tensor) (loss: Tensor -> Tensor) : Tensor -> LinearOperator =
        SecondOrder.family (specify model loss) >> snd

    /// The Gauss–Newton matrix, n×n, of a model θ ↦ outputs and a scalar loss of the outputs, at θ. It is claimed semidefinite, which holds
    /// for every loss that is convex in the outputs, as squared error and both cross-entropies are. A product costs four matrix
    /// products a dense layer, where one with the Hessian costs six; a quadratic form two. (Schraudolph 2002.)
    /// Raises ShapeException for a loss that is not scalar, NonFiniteException where it is NaN or infinite, and DifferentiationException
    /// where the model does not depend on θ, or the loss on the outputs.
    let at (model: Tensor -> Tensor) (loss: Tensor -> Tensor) (theta: Tensor) : LinearOperator = family model loss theta

    /// The Gauss–Newton matrix over many batches at θ, for a model inputs ↦ θ ↦ outputs and a loss targets ↦ outputs ↦ scalar that is the
    /// mean over a batch (Reduction.Mean) or the sum (Reduction.Sum). Batches are read as by Hessian.overBatches, with the same errors.
    let overBatches
        (reduction: Reduction)
        (model: Tensor -> Tensor -> Tensor)
        (loss: Tensor -> Tensor -> Tensor)
        (batches: Batch seq)
        (theta: Tensor)
        : LinearOperator =
        let spec =
            {
                Name = name
                Properties = OperatorProperties.PositiveSemidefinite
                Extras = fun _ _ _ -> []
                At = fun batch _ -> specify (model batch.Inputs) (loss batch.Targets)
                Observe =
                    fun theta batch ->
                        let outputs = model batch.Inputs theta
                        [ SampleRows outputs; BatchLoss(loss batch.Targets outputs) ]
            }

        OverBatches.create spec reduction batches theta |> snd
