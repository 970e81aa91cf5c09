namespace Curvature.FSharp

open Curvature

/// What Gauss–Newton and Fisher matrices ask of a risk.
module internal RiskModel =

    /// Raises OperatorException for a risk whose model and criterion are not known apart.
    let require name (risk: EmpiricalRisk) : struct ((RiskData -> Tensor -> Tensor) * (RiskData -> Tensor -> Tensor)) =
        match risk.Definition.Model, risk.Definition.Criterion with
        | ValueSome model, ValueSome criterion -> struct (model, criterion)
        | _ ->
            Fail.operator (
                $"{name}: a risk of a model and a criterion is needed, as Risk.ofModel and Risk.ofOutputs make it, "
                + $"and this is {risk}"
            )

/// The Gauss–Newton matrix JᵀH_ℓJ of a model's outputs under a convex loss ℓ: the Hessian without the curvature of
/// the model.
[<RequireQualifiedAccess>]
module GaussNewton =

    let private name = "Gauss-Newton"

    let internal specifyNamed name (model: Tensor -> Tensor) (loss: Tensor -> Tensor) : SecondOrder =
        let outputs theta = Linearization.derivative name "model" model theta

        {
            Name = name
            Function = model >> loss
            Loss = model >> loss
            Matvec =
                fun theta ->
                    let outputs, jacobian = outputs theta
                    let ofOutputs = Linearization.hessian name loss outputs

                    {
                        Loss = ofOutputs.Loss
                        Gradient = ValueNone
                        Apply =
                            fun v ->
                                (jacobian.Interpret [| v |])[0] |> ofOutputs.Apply |> Linearization.pull theta jacobian
                    }
            Form =
                fun theta ->
                    let outputs, jacobian = outputs theta
                    let ofOutputs = Linearization.hessianForm loss outputs

                    { ofOutputs with
                        Apply = fun v -> ofOutputs.Apply((jacobian.Interpret [| v |])[0])
                    }
        }

    let internal curvature (risk: EmpiricalRisk) : RiskCurvature =
        let struct (model, criterion) = RiskModel.require name risk

        {
            Name = name
            Properties = OperatorProperties.PositiveSemidefinite
            Risk = risk.Definition
            Extras = fun _ _ -> []
            Matrix = ValueSome RiskMatrix.GaussNewton
            At = fun data _ -> specifyNamed name (model data) (criterion data)
            Observe =
                fun theta data ->
                    let outputs = model data theta
                    [ SampleRows outputs; BatchLoss(criterion data outputs) ]
        }

    /// Gauss–Newton matrices of a risk at point after point: recorded and compiled at the first.
    let family (risk: EmpiricalRisk) : Tensor -> LinearOperator =
        let at = RiskCurvature.family (curvature risk)
        fun theta -> (at theta).Operator

    /// The Gauss–Newton matrix, n×n, of a risk whose model and criterion are known apart, at θ; to that of a term
    /// without data its Hessian is added. It is claimed semidefinite, which holds for every criterion that is convex
    /// in the outputs, as squared error and both cross-entropies are, and a convex term. A product costs four matrix
    /// products a dense layer, where one with the Hessian costs six; a quadratic form two. (Schraudolph 2002.)
    /// Batches are read as by `Hessian.evaluate`, with the same errors.
    /// Raises OperatorException for a risk that has no model, ShapeException for a criterion that is not scalar,
    /// NonFiniteException where it is NaN or infinite, and DifferentiationException where the model does not depend
    /// on θ, or the criterion on the outputs.
    let ofRisk (risk: EmpiricalRisk) (theta: Tensor) : LinearOperator = family risk theta

    /// The Gauss–Newton matrix of a model θ ↦ outputs and a scalar loss of the outputs, at θ; see `ofRisk`.
    let at (model: Tensor -> Tensor) (loss: Tensor -> Tensor) (theta: Tensor) : LinearOperator =
        ofRisk (Risk.ofOutputs model loss) theta
